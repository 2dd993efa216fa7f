import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
}

// Not a toolchain: any JDK from 17 on does, such as the one that Android Studio brings.
java {
    sourceCompatibility = JavaVersion.VERSION_17
    targetCompatibility = JavaVersion.VERSION_17
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_17
        allWarningsAsErrors = true
    }
}

dependencies {
    testImplementation(libs.kotlin.test.junit)
    testImplementation(libs.junit)
}

tasks.test {
    // What Python computed; and, where exported, the models with their golden mattes.
    systemProperty("edgemat.vectors", file("../../tests/vectors").path)
    systemProperty("edgemat.models", file("../app/src/main/assets/models").path)
}
