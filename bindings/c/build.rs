//! Gives the symbols of the installed shared library a version: its soname, `libmqttp2p.so.0.1`, so that a program is
//! never bound to those of another one. cargo-c sets the soname; the linker that knows how to is GNU's.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if std::env::var_os("CARGO_FEATURE_CAPI").is_some() && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo:rustc-cdylib-link-arg=-fuse-ld=bfd");
        println!("cargo:rustc-cdylib-link-arg=-Wl,--default-symver");
    }
}
