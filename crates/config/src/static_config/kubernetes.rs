//! The providers of Kubernetes objects.

use crate::Duration;

section! {
    /// Kubernetes Ingress.
    pub struct KubernetesIngress {
        /// URL of the API server. Default: the cluster's own.
        pub endpoint: String,
        /// Access token.
        pub token: String,
        /// File of certificates to trust the API server by.
        pub cert_auth_file_path: String,
        /// Namespaces to look in. Default: all.
        pub namespaces: Vec<String>,
        /// Selector of the Ingresses' labels.
        pub label_selector: String,
        /// Class of the Ingresses.
        pub ingress_class: String,
        /// Address to publish in the Ingresses' status.
        pub ingress_endpoint: Option<IngressEndpoint>,
        /// Least time between two updates. Default: 0.
        pub throttle_duration: Duration,
        /// Keeps services without endpoints. Default: false.
        pub allow_empty_services: bool,
        /// Allows ExternalName services. Default: false.
        pub allow_external_name_services: bool,
        /// Deprecated: `disableClusterScopeResources`.
        pub disable_ingress_class_lookup: bool,
        /// Asks for no resources of the whole cluster. Default: false.
        pub disable_cluster_scope_resources: bool,
        /// Sends to the services' addresses instead of the endpoints'. Default: false.
        #[serde(rename = "nativeLBByDefault")]
        pub native_lb_by_default: bool,
        /// Matches prefixes by whole path elements. Default: false.
        pub strict_prefix_matching: bool,
        /// Namespaces whose objects may name objects of other providers.
        pub cross_provider_namespaces: Vec<String>,
    }
}

section! {
    /// Address to publish in the Ingresses' status.
    pub struct IngressEndpoint {
        /// Address.
        pub ip: String,
        /// Host name.
        pub hostname: String,
        /// `namespace/name` of the service to copy the address from.
        pub published_service: String,
    }
}

section! {
    /// Kubernetes Ingress with the annotations of ingress-nginx.
    pub struct KubernetesIngressNginx {
        /// URL of the API server. Default: the cluster's own.
        pub endpoint: String,
        /// Access token.
        pub token: String,
        /// File of certificates to trust the API server by.
        pub cert_auth_file_path: String,
        /// Least time between two updates. Default: 0.
        pub throttle_duration: Duration,
        /// Namespace to look in. Default: all.
        pub watch_namespace: String,
        /// Selector of the namespaces' labels; not with `watchNamespace`.
        pub watch_namespace_selector: String,
        /// Class of the Ingresses. Default: `nginx`.
        pub ingress_class: String = "nginx",
        /// Controller of the class. Default: `k8s.io/ingress-nginx`.
        pub controller_class: String = "k8s.io/ingress-nginx",
        /// Takes Ingresses without class. Default: false.
        pub watch_ingress_without_class: bool,
        /// Finds the class by name. Default: false.
        pub ingress_class_by_name: bool,
        /// `namespace/name` of the service to copy the address from.
        pub publish_service: String,
        /// Addresses to publish in the Ingresses' status.
        pub publish_status_address: Vec<String>,
        /// `namespace/name` of the service for requests without rule.
        pub default_backend_service: String,
        /// Forbids ExternalName services. Default: false.
        pub disable_svc_external_name: bool,
        /// Allows annotations to name other namespaces. Default: false.
        pub allow_cross_namespace_resources: bool,
        /// Allows snippet annotations. Default: false.
        pub allow_snippet_annotations: bool,
        /// Refuses paths that are not plain. Default: true.
        pub strict_validate_path_type: bool = true,
        /// Entry point for plain HTTP.
        pub http_entry_point: String,
        /// Entry point for HTTPS.
        pub https_entry_point: String,
        /// Buffers requests. Default: false.
        pub proxy_request_buffering: bool,
        /// Bytes of a request kept in memory. Default: 16384.
        pub client_body_buffer_size: i64 = 16_384,
        /// Longest request body, bytes. Default: 1048576.
        pub proxy_body_size: i64 = 1_048_576,
        /// Buffers responses. Default: false.
        pub proxy_buffering: bool,
        /// Bytes of one response buffer. Default: 8192.
        pub proxy_buffer_size: i64 = 8192,
        /// Number of response buffers. Default: 4.
        pub proxy_buffers_number: i64 = 4,
        /// Seconds for connecting. Default: 60.
        pub proxy_connect_timeout: i64 = 60,
        /// Seconds between two reads. Default: 60.
        pub proxy_read_timeout: i64 = 60,
        /// Seconds between two writes. Default: 60.
        pub proxy_send_timeout: i64 = 60,
        /// When the next server is tried. Default: `error timeout`.
        pub proxy_next_upstream: String = "error timeout",
        /// Seconds for all tries. 0 (default): no limit.
        pub proxy_next_upstream_timeout: i64,
        /// Tries in all. Default: 3.
        pub proxy_next_upstream_tries: i64 = 3,
        /// Seconds that idle connections are kept. Default: 60.
        pub upstream_keepalive_timeout: i64 = 60,
        /// Statuses that the default service answers.
        #[serde(rename = "customHTTPErrors")]
        pub custom_http_errors: Vec<String>,
        /// Response headers that annotations may set.
        pub global_allowed_response_headers: Vec<String>,
        /// URL that every request is authorised by.
        #[serde(rename = "globalAuthURL")]
        pub global_auth_url: String,
        /// How allow lists find the client's address.
        pub ip_allow_list_strategy: Option<IpAllowListStrategy>,
    }
}

section! {
    /// How allow lists find the client's address.
    pub struct IpAllowListStrategy {
        /// Position in X-Forwarded-For, from the right. 0 (default): the peer.
        pub depth: i64,
        /// Rightmost address of X-Forwarded-For that is not in this list.
        #[serde(rename = "excludedIPs")]
        pub excluded_ips: Vec<String>,
        /// Bits of an IPv6 address that count.
        #[serde(rename = "ipv6Subnet")]
        pub ipv6_subnet: Option<i64>,
    }
}

section! {
    /// Traefik's own Kubernetes resources.
    pub struct KubernetesCrd {
        /// URL of the API server. Default: the cluster's own.
        pub endpoint: String,
        /// Access token.
        pub token: String,
        /// File of certificates to trust the API server by.
        pub cert_auth_file_path: String,
        /// Namespaces to look in. Default: all.
        pub namespaces: Vec<String>,
        /// Lets objects name objects of other namespaces. Default: false.
        pub allow_cross_namespace: bool,
        /// Allows ExternalName services. Default: false.
        pub allow_external_name_services: bool,
        /// Selector of the objects' labels.
        pub label_selector: String,
        /// Class of the objects.
        pub ingress_class: String,
        /// Least time between two updates. Default: 0.
        pub throttle_duration: Duration,
        /// Keeps services without endpoints. Default: false.
        pub allow_empty_services: bool,
        /// Sends to the services' addresses instead of the endpoints'. Default: false.
        #[serde(rename = "nativeLBByDefault")]
        pub native_lb_by_default: bool,
        /// Asks for no resources of the whole cluster. Default: false.
        pub disable_cluster_scope_resources: bool,
        /// Namespaces whose objects may name objects of other providers.
        pub cross_provider_namespaces: Vec<String>,
        /// Namespace whose default TLS objects count. Default: any.
        #[serde(rename = "defaultTLSResourcesNamespace")]
        pub default_tls_resources_namespace: String,
        /// Makes names that cannot collide. Default: false.
        pub safe_naming: bool,
    }
}

section! {
    /// Kubernetes Gateway API.
    pub struct KubernetesGateway {
        /// URL of the API server. Default: the cluster's own.
        pub endpoint: String,
        /// Access token.
        pub token: String,
        /// File of certificates to trust the API server by.
        pub cert_auth_file_path: String,
        /// Namespaces to look in. Default: all.
        pub namespaces: Vec<String>,
        /// Selector of the GatewayClasses' labels.
        pub label_selector: String,
        /// Least time between two updates. Default: 0.
        pub throttle_duration: Duration,
        /// Supports the experimental resources. Default: false.
        pub experimental_channel: bool,
        /// Address to publish in the Gateways' status.
        pub status_address: Option<GatewayStatusAddress>,
        /// Sends to the services' addresses instead of the endpoints'. Default: false.
        #[serde(rename = "nativeLBByDefault")]
        pub native_lb_by_default: bool,
        /// Namespaces whose objects may name objects of other providers.
        pub cross_provider_namespaces: Vec<String>,
        /// Requests per second to the API server. Default: 50.
        pub qps: i64 = 50,
        /// Requests at once to the API server. Default: 100.
        pub burst: i64 = 100,
        /// Gateways to serve. Default: all.
        pub gateways: Vec<GatewayReference>,
    }
}

section! {
    /// A Gateway to serve.
    pub struct GatewayReference {
        /// Name.
        pub name: String,
        /// Namespace.
        pub namespace: String,
    }
}

section! {
    /// Address to publish in the Gateways' status.
    pub struct GatewayStatusAddress {
        /// Address.
        pub ip: String,
        /// Host name.
        pub hostname: String,
        /// Service to copy the address from.
        pub service: Option<GatewayService>,
    }
}

section! {
    /// A Kubernetes service.
    pub struct GatewayService {
        /// Name.
        pub name: String,
        /// Namespace.
        pub namespace: String,
    }
}

section! {
    /// Knative.
    pub struct Knative {
        /// URL of the API server. Default: the cluster's own.
        pub endpoint: String,
        /// Access token.
        pub token: String,
        /// File of certificates to trust the API server by.
        pub cert_auth_file_path: String,
        /// Namespaces to look in. Default: all.
        pub namespaces: Vec<String>,
        /// Selector of the objects' labels.
        pub label_selector: String,
        /// Least time between two updates. Default: 0.
        pub throttle_duration: Duration,
        /// Entry points for services that the world may reach.
        #[serde(rename = "publicEntrypoints")]
        pub public_entry_points: Vec<String>,
        /// Service that those are published under.
        pub public_service: Option<GatewayService>,
        /// Entry points for services of the cluster.
        #[serde(rename = "privateEntrypoints")]
        pub private_entry_points: Vec<String>,
        /// Service that those are published under.
        pub private_service: Option<GatewayService>,
    }
}
