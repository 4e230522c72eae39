# Homebrew formula: brew install --build-from-source ./packaging/homebrew/photodesc.rb
class Photodesc < Formula
  desc "Describes all your photos in words, on your own machine"
  homepage "https://example.invalid/photodesc"
  url "https://example.invalid/photodesc.git", tag: "v0.1.0"
  license "MIT"
  head "https://example.invalid/photodesc.git", branch: "main"

  depends_on "go" => :build
  depends_on "pkgconf" => :build
  depends_on "jpeg-turbo"
  depends_on "libtiff"
  depends_on "vips"

  on_linux do
    depends_on "openblas"
  end

  def install
    # Bottles are for machines other than the builder's.
    march = Hardware::CPU.arm? ? "armv8.4-a" : "x86-64-v3"
    system "make", "build", "MARCH=#{march}"
    system "make", "install", "PREFIX=#{prefix}", "MARCH=#{march}"
  end

  service do
    run [opt_bin/"photodesc", "-C", var/"photodesc", "run"]
    keep_alive crashed: true
    working_dir var/"photodesc"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/photodesc --version")
    assert_match "libvips", shell_output("#{bin}/photodesc version")
  end
end
