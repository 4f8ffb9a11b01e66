//! Go's text/template with the functions Traefik gives its dynamic files.
