//! Says when the embedded site has changed, so that a new build of it ends up in the binary.

fn main() -> std::io::Result<()> {
    // A missing folder would make cargo rebuild the server each time; an empty one is a server without a site.
    std::fs::create_dir_all("../dist")?;
    println!("cargo::rerun-if-changed=../dist");
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
