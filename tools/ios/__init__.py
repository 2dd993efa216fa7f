"""Checks of the iOS app that need no Mac: `make ios-check`.

The core package is built and tested with a real Swift toolchain, the app's sources are type-checked
against hand-written stubs of Apple's frameworks, and project file, plists and texts are read.
Nothing here runs on a phone: see docs/verification.md.
"""
