# Packages for others: docs/releasing.md. Included by the Makefile.
.PHONY: release release-arm64 check-macos test-release test-deb test-arm64

# A program for other machines is for the oldest CPU that is supported, whatever MARCH says.
RELEASE_AMD64 := -O3 -march=x86-64-v3

release: upstream ## pack dist/: .deb and .tar.gz for amd64, checksums, SBOM; BACKENDS="bin/libggml-vulkan.so" packs those too
	$(call ADD,{ command -v dpkg-shlibdeps >/dev/null || echo dpkg-dev; })
	CGO_CFLAGS="$(RELEASE_AMD64)" CGO_CXXFLAGS="$(RELEASE_AMD64)" VERSION="$(VERSION)" BACKENDS="$(BACKENDS)" DIRTY="$(DIRTY)" \
		tools/release/build.sh amd64

test-release: ## hold dist/ to what docs/releasing.md says: builds again to the same bytes, sizes, licences, old CPUs
	$(call ADD,{ command -v qemu-x86_64-static >/dev/null || echo qemu-user-static; })
	tools/release/test.sh amd64

test-deb: ## install, use and remove the packages of dist/ in Debian 12 and 13, each in a chroot below build/; needs root
	$(call ADD,{ command -v mmdebstrap >/dev/null || echo mmdebstrap; command -v lintian >/dev/null || echo lintian; })
	tools/release/test_deb.sh

release-arm64: export DIRTY := $(DIRTY)
release-arm64: upstream build ## the same for arm64, cross-compiled against a Debian 12 of arm64 in build/chroot; needs root the first time
	$(call ADD,{ command -v aarch64-linux-gnu-g++ >/dev/null || echo g++-aarch64-linux-gnu; command -v mmdebstrap >/dev/null || echo mmdebstrap; })
	@settings=$$(tools/release/arm64.sh env) && eval "$$settings" && VERSION="$(VERSION)" tools/release/build.sh arm64

test-arm64: ## run the Go tests, the golden words and the examples for arm64 under qemu; needs root, and hours
	tools/release/test_arm64.sh

check-macos: upstream ## compile all C and Go that is ours for macOS, on Linux; npm fetches the compiler (zig, 70 MB)
	@tools/macos/check.sh
