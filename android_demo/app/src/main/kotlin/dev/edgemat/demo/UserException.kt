package dev.edgemat.demo

/** Something that the user can do something about; the message is in their language. */
class UserException(override val message: String, cause: Throwable? = null) :
    Exception(message, cause)

/** What to show of an error. */
val Throwable.text: String get() = localizedMessage ?: javaClass.simpleName
