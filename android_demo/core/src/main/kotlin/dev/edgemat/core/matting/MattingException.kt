package dev.edgemat.core.matting

/** What a user gave cannot be matted; the message says why. */
class MattingException(message: String) : Exception(message)
