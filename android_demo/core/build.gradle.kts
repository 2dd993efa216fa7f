plugins {
    alias(libs.plugins.kotlin.jvm)
}

kotlin {
    jvmToolchain(17)
    compilerOptions {
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
