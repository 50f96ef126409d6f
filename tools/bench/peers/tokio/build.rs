// mimalloc is linked only when asked for: --features mimalloc.
fn main() {
    if std::env::var_os("CARGO_FEATURE_MIMALLOC").is_some() {
        println!("cargo:rustc-link-lib=mimalloc");
    }
}
