package android.os;

public class Build {
    public static final String HARDWARE = null;
    public static final String MANUFACTURER = null;
    public static final String MODEL = null;
    /** API 31. */
    public static final String SOC_MODEL = null;
    public static final String[] SUPPORTED_ABIS = null;

    public static class VERSION {
        public static final String RELEASE = null;
        public static final int SDK_INT = Integer.parseInt("0");
    }

    public static class VERSION_CODES {
        public static final int Q = 29;
        public static final int R = 30;
        public static final int S = 31;
    }
}
