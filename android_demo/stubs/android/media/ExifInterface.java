package android.media;

import java.io.IOException;
import java.io.InputStream;

public class ExifInterface {
    public static final int ORIENTATION_NORMAL = 1;
    public static final String TAG_ORIENTATION = "Orientation";

    /** API 24. */
    public ExifInterface(InputStream stream) throws IOException {
        throw new UnsupportedOperationException();
    }

    public int getAttributeInt(String tag, int defaultValue) {
        throw new UnsupportedOperationException();
    }
}
