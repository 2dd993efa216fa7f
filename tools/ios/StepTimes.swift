import Foundation

// Compiled together with MattingCore's own sources, so that what is internal there is seen here.
// Pictures, steps and lines are those of tools/step_times.py.
private let large = PixelSize(height: 864, width: 1152)
private let reduction = 4
private let small = PixelSize(height: large.height / reduction, width: large.width / reduction)
private let warmUp = 1.0
private let blur = 8.0
private let smoothing: Float = 0.3

/// Prints each step's name, the mean of its result, and what each of the runs took in ms.
@main enum StepTimes {
    static func main() {
        let runs = Int(CommandLine.arguments[1])!
        let (image, alpha) = (picture(large, step: 1), matte(large, step: 1))
        let smallImage = picture(small, step: reduction)
        let smallAlpha = matte(small, step: reduction)
        var smoother = Smoother(share: smoothing)
        time("shrink", runs, mean) { image.resized(to: small, filter: .bilinear) }
        time("enlarge", runs, mean) { smallImage.resized(to: large, filter: .bicubic) }
        time("enlarge-matte", runs, mean) { smallAlpha.resized(to: large) }
        time("guided", runs, mean) {
            GuidedFilter.upsample(smallAlpha, small: smallImage, scale: 1 / 255, image: image)
        }
        time("trimap", runs, mean) { Trimap(suggestedBy: alpha) }
        time("foreground", runs, mean) { Compositing.foreground(of: image, alpha: alpha) }
        time("blur", runs, mean) {
            Compositing.blurBackground(of: image, alpha: alpha, radius: blur)
        }
        time("smoothing", runs, mean) { smoother.smooth(image, alpha) }
    }
}

private func mean(_ image: RGBImage) -> Double { mean(image.bytes) }
private func mean(_ trimap: Trimap) -> Double { mean(trimap.values) }

private func mean(_ bytes: [UInt8]) -> Double {
    bytes.reduce(0) { $0 + Double($1) } / Double(bytes.count) / 255
}

private func mean(_ alpha: AlphaMatte) -> Double {
    alpha.values.reduce(0) { $0 + Double($1) } / Double(alpha.values.count)
}

private func time<Result>(
    _ name: String, _ runs: Int, _ mean: (Result) -> Double, step: () -> Result
) {
    let end = Date().addingTimeInterval(warmUp)
    var result = step()
    while Date() < end { result = step() }
    var taken: [Double] = []
    for _ in 0..<runs {
        let begun = DispatchTime.now().uptimeNanoseconds
        result = step()
        taken.append(Double(DispatchTime.now().uptimeNanoseconds - begun) / 1e6)
    }
    print(name, mean(result), taken.map { "\($0)" }.joined(separator: " "))
}

/// Every `step`th pixel of the picture, from the middle of the first block on.
private func picture(_ size: PixelSize, step: Int) -> RGBImage {
    var image = RGBImage(size: size, red: 0, green: 0, blue: 0)
    for pixel in 0..<size.count {
        let row = pixel / size.width * step + step / 2
        let column = pixel % size.width * step + step / 2
        for c in 0..<3 {
            let slope = row * (3 + c) + column * (5 - c) + row * column / 64
            image.bytes[pixel * 3 + c] = UInt8(truncatingIfNeeded: slope)
        }
    }
    return image
}

private func matte(_ size: PixelSize, step: Int) -> AlphaMatte {
    var alpha = AlphaMatte(size: size, repeating: 0)
    for pixel in 0..<size.count {
        let down = pixel / size.width * step + step / 2 - large.height / 2
        let across = pixel % size.width * step + step / 2 - large.width / 2
        let share = Float(105_000 - down * down - across * across) / 30_000
        alpha.values[pixel] = min(max(share, 0), 1)
    }
    return alpha
}
