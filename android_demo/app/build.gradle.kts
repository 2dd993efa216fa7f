plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "dev.edgemat.demo"
    compileSdk = 36

    defaultConfig {
        applicationId = "dev.edgemat.demo"
        minSdk = 26
        targetSdk = 34 // from 35 on the system draws edge to edge, which no phone has shown yet
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
}

dependencies {
    implementation(project(":core"))
    implementation(libs.litert)
    implementation(libs.litert.gpu)
}
