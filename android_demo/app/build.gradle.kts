plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "dev.edgemat.demo"
    compileSdk = 36

    defaultConfig {
        applicationId = "dev.edgemat.demo"
        minSdk = 26
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
    }
    androidResources {
        noCompress += listOf("tflite", "bin") // LiteRT maps a model into memory from the APK
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    lint {
        warningsAsErrors = true
    }
}

dependencies {
    implementation(project(":core"))
    implementation(libs.litert)
    implementation(libs.litert.gpu)
}
