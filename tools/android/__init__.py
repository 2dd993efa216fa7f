"""Checks of the Android app that need none of Google's repositories: `make android-check`.

The core is compiled and tested on the JVM, the app type-checked against android.jar and
hand-written stubs, packed into a signed APK, and Gradle files, resources and texts are read.
Nothing here runs on a phone or on Android's own runtime: see docs/verification.md.
"""
