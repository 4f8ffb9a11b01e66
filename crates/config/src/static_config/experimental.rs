//! Features that may change.

use super::Named;

section! {
    /// Features that may change.
    pub struct Experimental {
        /// Plug-ins from the catalogue, by name.
        pub plugins: Named<Plugin>,
        /// Plug-ins from the local disk, by name.
        pub local_plugins: Named<LocalPlugin>,
        /// Stops the program when a plug-in does not load. Default: false.
        pub abort_on_plugin_failure: bool,
        /// Traefik's second HTTP client. Accepted without effect: there is one here.
        pub fast_proxy: Option<FastProxy>,
        /// Allows OTLP logs. Default: false.
        #[serde(rename = "otlpLogs")]
        pub otlp_logs: bool,
        /// Allows the Knative provider. Default: false.
        pub knative: bool,
        /// Deprecated, without effect.
        pub kubernetes_gateway: bool,
        /// Deprecated, without effect.
        #[serde(rename = "kubernetesIngressNGINX")]
        pub kubernetes_ingress_nginx: bool,
    }
}

section! {
    /// A plug-in from the catalogue.
    pub struct Plugin {
        /// Name of the Go module.
        pub module_name: String,
        /// Version.
        pub version: String,
        /// Hash of the archive.
        pub hash: String,
        /// What it may reach.
        pub settings: Option<PluginSettings>,
    }
}

section! {
    /// A plug-in from the local disk.
    pub struct LocalPlugin {
        /// Name of the Go module.
        pub module_name: String,
        /// What it may reach.
        pub settings: Option<PluginSettings>,
    }
}

section! {
    /// What a plug-in may reach.
    pub struct PluginSettings {
        /// Environment variables.
        pub envs: Vec<String>,
        /// Folders.
        pub mounts: Vec<String>,
        /// Unsafe and syscall packages. Default: false.
        pub use_unsafe: bool,
    }
}

section! {
    /// Traefik's second HTTP client.
    pub struct FastProxy {
        /// Default: false.
        pub debug: bool,
    }
}
