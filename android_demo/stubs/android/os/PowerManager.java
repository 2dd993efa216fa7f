package android.os;

public final class PowerManager {
    public boolean isPowerSaveMode() {
        throw new UnsupportedOperationException();
    }

    /** API 29. */
    public int getCurrentThermalStatus() {
        throw new UnsupportedOperationException();
    }

    /** API 30. */
    public float getThermalHeadroom(int forecastSeconds) {
        throw new UnsupportedOperationException();
    }
}
