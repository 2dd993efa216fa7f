import Testing

@testable import MattingCore

@Suite struct TrimapCanvasTests {
    private let blank = Trimap(size: PixelSize(height: 20, width: 30), repeating: 0)

    @Test func aStrokeIsRoundAndStaysInside() {
        var canvas = TrimapCanvas(blank)
        canvas.beginStep()
        canvas.stroke(from: (5, 10), to: (25, 10), radius: 3, value: .unknown)
        let painted = canvas.trimap.values.filter { $0 == 128 }.count
        #expect(abs(Double(painted) - (20 * 6 + .pi * 9)) < 12)
        #expect(canvas.trimap[10, 2] == 128 && canvas.trimap[10, 1] == 0)
        canvas.stroke(from: (-50, -50), to: (80, 70), radius: 200, value: .foreground)
        #expect(canvas.trimap.values.allSatisfy { $0 == 255 })
    }

    @Test func fillsWhatAnOutlineEncloses() {
        var canvas = TrimapCanvas(blank)
        canvas.beginStep()
        let corners = [(8.0, 4.0), (22.0, 4.0), (22.0, 16.0), (8.0, 16.0), (8.0, 4.0)]
        for (from, to) in zip(corners, corners.dropFirst()) {
            canvas.stroke(from: from, to: to, radius: 1.2, value: .unknown)
        }
        canvas.fill(row: 10, column: 15, value: .foreground)
        #expect(canvas.trimap[10, 15] == 255 && canvas.trimap[6, 10] == 255)
        #expect(canvas.trimap[0, 0] == 0 && canvas.trimap[10, 29] == 0)
        canvas.fill(row: 99, column: 0, value: .foreground)
        #expect(canvas.trimap[0, 0] == 0)
    }

    @Test func takesBackWholeSteps() {
        var canvas = TrimapCanvas(blank)
        #expect(!canvas.canUndo && !canvas.isUsable)
        for step in 0..<TrimapCanvas.undoLimit + 5 {
            canvas.beginStep()
            let x = Double(step)
            canvas.stroke(from: (x, 5), to: (x, 6), radius: 1, value: .unknown)
        }
        #expect(canvas.isUsable)
        for _ in 0..<TrimapCanvas.undoLimit { canvas.undo() }
        #expect(!canvas.canUndo)
        #expect(canvas.trimap[5, 2] == 128, "older steps stay")
        #expect(canvas.trimap[5, 20] == 0)
    }
}
