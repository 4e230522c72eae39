# photodesc: everything a newcomer runs. `make` alone lists the targets.
#
# Compile flags come from here for every package alike, so that all builds share one cache: llama.cpp takes minutes to
# compile and without these flags runs five times slower. They are for this machine's own CPU. A binary for others:
#     make build MARCH=x86-64-v3

OS   := $(shell uname -s)
CPU  := $(shell uname -m)
MARCH ?= native
ifneq (,$(filter arm64 aarch64,$(CPU)))
  TARGET := $(if $(filter native,$(MARCH)),-mcpu=native,-march=$(MARCH))
else
  TARGET := -march=$(MARCH)
endif
export CGO_CFLAGS   := -O3 $(TARGET)
export CGO_CXXFLAGS := -O3 $(TARGET)

# LLAMA=system links the system's llama.cpp, by a tag of Go's build and the version of its headers; LLAMA=DIR compiles a source tree
# of it and links that; without it, the Go module's is compiled in. third_party/llama.cpp/README.md tells why, and what differs.
LLAMA ?=
ifeq ($(LLAMA),system)
  LLAMA_VERSION := $(subst ., ,$(shell pkg-config --modversion llama 2>/dev/null))
  export GOFLAGS := $(shell go env GOFLAGS 2>/dev/null) -tags=llama_system
  export CGO_CPPFLAGS := -DPD_LLAMA_MAJOR=$(word 1,$(LLAMA_VERSION)) -DPD_LLAMA_MINOR=$(or $(word 2,$(LLAMA_VERSION)),0) -DPD_LLAMA_PATCH=$(or $(word 3,$(LLAMA_VERSION)),0)
else ifneq ($(LLAMA),)
  # A source tree: `upstream` compiles it and writes what pkg-config tells, also to Go.
  export GOFLAGS := $(shell go env GOFLAGS 2>/dev/null) -tags=llama_system
  export PKG_CONFIG_PATH := $(CURDIR)/build/llama/pkgconfig:$(PKG_CONFIG_PATH)
  export CGO_CPPFLAGS = $(shell cat build/llama/cppflags 2>/dev/null)
endif

VERSION  := $(shell tools/release/version)
UPSTREAM := third_party/llama.cpp/upstream
LINT     := go tool -modfile=tools/lint/go.mod
# Prints a line a package, then what was skipped and why. A slow machine takes longer than go test's usual ten minutes.
GOTEST   := $(LINT) gotestsum --format pkgname -- -timeout 40m
# Packages of Go, which the race detector can see into, and cheap to build a second time for it: llama.cpp is not there.
RACE     := ^photodesc/(internal/(photo|photo/bmp|photo/colour|photo/damage|photo/exif|photo/heif|photo/identity|photo/ifd|photo/pngchunk|photo/raw|photo/tiff|preview|prompts|models|models/hub|models/gguf|awake|browse|cluster|confine|durable|export|export/gallery|kinds|machine|metrics|runs|search|storage|ui|watch|service|xmp|xmp/embedded)|pool|tracker)$$
# Shapes of the models with random weights; `make models SHAPES="tiny smolvlm-500m"` makes others too.
SHAPES   := tiny
PHOTOS   := 1000
FUZZTIME := 30s
comma    := ,

ifneq (,$(wildcard internal/models/builtin/builtin.gguf))
  MODEL := --model builtin
else
  MODEL := --model build/models/tiny.gguf --mmproj build/models/mmproj-tiny.gguf
endif

.PHONY: help setup setup-test needs upstream models build man install uninstall demo test test-programs test-slurm test-system test-system-inside screenshots vet race asan lint fuzz soak bench \
	check-models gobench equal gpucheck metal vulkan cuda clean

# Setting up, linking sources and compiling follow one another, also under make -j.
.NOTPARALLEL:

help: ## list the targets
	@awk -F ':.*## ' '!seen[$$1]++ && /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What has to be there, found without asking the package manager: it is slow.
# The tests look at the page of browse in Chromium, draw pictures with ImageMagick, look at screens in tmux, read sidecars with
# exiftool and type the pages' commands, jq among them. On Linux they have libplist read launch agents of macOS, ask a private
# D-Bus for sleep locks and stop a folder's bindfs, as a server that does not answer; bindfs brings fusermount, which mounts
# file systems with faults.
EXIFTOOL  = $(if $(filter Darwin,$(OS)),exiftool,libimage-exiftool-perl)
FOR_TESTS = { command -v magick || command -v convert-im6.q16; } >/dev/null || echo imagemagick; command -v tmux >/dev/null || echo tmux; command -v exiftool >/dev/null || echo $(EXIFTOOL); command -v jq >/dev/null || echo jq

ifeq ($(OS),Darwin)
  MISSING = { command -v pkg-config >/dev/null || echo pkgconf; pkg-config --exists vips 2>/dev/null || echo vips; \
	pkg-config --exists libtiff-4 2>/dev/null || echo libtiff; pkg-config --exists libjpeg 2>/dev/null || echo jpeg-turbo; \
	$(if $(LLAMA),pkg-config --exists llama 2>/dev/null || echo llama.cpp,true); }
  MISSING_TEST = { $(FOR_TESTS); }
  # The tests of the page run in any Chrome or Chromium, and are skipped without one.
  INSTALL = brew install
  ROOT    =
else
  MISSING = { command -v g++ >/dev/null || echo g++; command -v pkg-config >/dev/null || echo pkg-config; \
	pkg-config --exists vips 2>/dev/null || echo libvips-dev; pkg-config --exists libtiff-4 2>/dev/null || echo libtiff-dev; \
	pkg-config --exists libjpeg 2>/dev/null || echo libjpeg-dev; \
	$(if $(LLAMA),$(if $(filter system,$(LLAMA)),pkg-config --exists llama 2>/dev/null || echo libllama-dev libggml-dev,command -v cmake >/dev/null || echo cmake),pkg-config --exists openblas 2>/dev/null || echo libopenblas-dev); }
  MISSING_TEST = { command -v dbus-daemon >/dev/null || echo dbus-daemon; command -v plistutil >/dev/null || echo libplist-utils; command -v bindfs >/dev/null || echo bindfs; \
	command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || command -v google-chrome >/dev/null || $(if $(BROWSER_PACKAGE),echo $(BROWSER_PACKAGE),true); \
	$(FOR_TESTS); }
  # Ubuntu has Chromium as a snap alone; the tests of the page are skipped there unless Google's Chrome is installed.
  BROWSER_PACKAGE = $(shell apt-cache show chromium-headless-shell >/dev/null 2>&1 && echo chromium-headless-shell)
  INSTALL = apt-get install -y --no-install-recommends
  ROOT    = $$( [ "$$(id -u)" = 0 ] || echo sudo )
endif

# Installs what a command finds missing, after saying what. $(call ADD,COMMAND)
define ADD
	@missing=$$($(1) | tr '\n' ' '); \
	[ -n "$$missing" ] || exit 0; \
	root="$(ROOT)"; install="$${root:+$$root }$(INSTALL) $$missing"; \
	stop() { echo "Missing: $$missing" >&2; echo "$$1" >&2; echo "    $$install" >&2; exit 1; }; \
	command -v $(firstword $(INSTALL)) >/dev/null || \
		{ echo "Missing, by their Debian or Homebrew names: $$missing" >&2; \
		  echo "There is no $(firstword $(INSTALL)) here: install them with this system's own package manager." >&2; exit 1; }; \
	if [ -n "$$root" ] && ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then \
		stop "Installing needs the rights of root. Run this, then make again:"; \
	fi; \
	echo "Installing: $$missing(downloads and unpacks; some minutes)"; \
	[ "$(OS)" = Darwin ] || $$root apt-get update -q=2 || true; \
	log=$$(mktemp); \
	if tools/quietly "$$log" env DEBIAN_FRONTEND=noninteractive $$install; then rm -f "$$log"; \
	else cat "$$log" >&2; rm -f "$$log"; stop "Installing failed. Try it by hand:"; fi
endef

GO_WANTED := $(shell sed -n 's/^go //p' go.mod)
# A Go that is older fetches the one that go.mod names, or cannot even read that file.
NEED_GO = { command -v go >/dev/null || { echo "Go is not installed: get it from https://go.dev/dl/ ($(GO_WANTED) or newer) and put its bin folder into PATH" >&2; exit 1; }; \
	go list -m >/dev/null 2>&1 || { go list -m >/dev/null || true; echo "Is this Go too old? $$(go version) is in PATH, $(GO_WANTED) or newer is needed: https://go.dev/dl/" >&2; exit 1; }; }

setup: ## install what building needs and is missing (apt or brew), after saying what
	@$(NEED_GO)
	$(call ADD,$(MISSING))
	@[ "$(MAKECMDGOALS)" != setup ] || echo "All that building needs is here. Next: make build"

setup-test: setup ## install what the tests need beside it
	$(call ADD,$(MISSING_TEST))

# Looks in a moment for what a target is about to need; nothing is installed behind one's back.
needs:
	@$(NEED_GO)
	@missing=$$($(MISSING) | tr '\n' ' '); [ -z "$$missing" ] || { \
		echo "Missing for building, by their $(if $(filter Darwin,$(OS)),Homebrew,Debian) names: $$missing" >&2; \
		echo "    make setup    installs them" >&2; exit 1; }

# llama.cpp's headers lie in a Go module; C finds them through a link to it.
upstream: needs ## link llama.cpp's sources
ifeq ($(LLAMA),)
	@go mod download github.com/ollama/ollama
	@dir=$$(go list -m -f '{{.Dir}}' github.com/ollama/ollama); \
	[ "$$(readlink $(UPSTREAM))" = "$$dir" ] || ln -sfn "$$dir" $(UPSTREAM)
else ifneq ($(LLAMA),system)
	@ARCH=$(TARGET) tools/llama-source '$(LLAMA)'
endif

models: $(SHAPES:%=build/models/%.gguf) ## write small models with random weights

build/models/%.gguf: $(wildcard tools/mkmodel/*.go)
	@$(NEED_GO)
	@go run ./tools/mkmodel -o build/models $*

# Vision files that tell a server to resize photos to another longest edge than the shape's own.
build/models/mmproj-%-1024.gguf: $(wildcard tools/mkmodel/*.go)
	@go run ./tools/mkmodel -o build/models -longest-edge 1024 $*

build: upstream ## compile bin/photodesc
	tools/quietgo build -ldflags "-X main.version=$(VERSION)" -o bin/photodesc ./cmd/photodesc

# The version's date, so that the same sources give the same pages.
WRITE_MAN = SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || date +%s) bin/photodesc man
man: build ## write the man pages into build/man
	@rm -rf build/man; $(WRITE_MAN) build/man

# Where `make install` puts things; DESTDIR goes before all, for those who make packages.
PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR   = $(DESTDIR)$(PREFIX)/bin
MANDIR   = $(DESTDIR)$(PREFIX)/share/man/man1
DOCDIR   = $(DESTDIR)$(PREFIX)/share/doc/photodesc
BASHDIR  = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR   = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISHDIR  = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d

# As root nothing is compiled: root's Go, if it has one, would compile llama.cpp once more, and sudo finds no Go that only the
# user's PATH names. So the man pages come from the program, not from make man. A folder that cannot be written is named before
# anything is copied.
install: ## copy the program, man pages and completions to PREFIX=/usr/local
	@[ "$$(id -u)" = 0 ] && [ -x bin/photodesc ] || { [ "$$(id -u)" != 0 ] || command -v go >/dev/null || { \
		echo "bin/photodesc is not built yet, and root has no Go in PATH. Without sudo:" >&2; echo "    make build" >&2; exit 1; }; \
		$(MAKE) --no-print-directory build; }
	@mkdir -p "$(DESTDIR)$(PREFIX)" 2>/dev/null && [ -w "$(DESTDIR)$(PREFIX)" ] || { \
		echo "$(DESTDIR)$(PREFIX) cannot be written. One of these installs:" >&2; \
		echo "    sudo make install" >&2; echo "    make install PREFIX=$$HOME/.local" >&2; exit 1; }
	@mkdir -p "$(BINDIR)" "$(MANDIR)" "$(DOCDIR)" "$(BASHDIR)" "$(ZSHDIR)" "$(FISHDIR)"
	@install -m 755 bin/photodesc "$(BINDIR)/photodesc"
	@for library in bin/libggml-*.so; do [ ! -e "$$library" ] || install -m 755 "$$library" "$(BINDIR)/"; done
	@pages=$$(mktemp -d) && { $(WRITE_MAN) "$$pages" && install -m 644 "$$pages"/*.1 "$(MANDIR)/"; code=$$?; rm -rf "$$pages"; exit $$code; }
	@install -m 644 LICENSE NOTICES.md "$(DOCDIR)/"
	@bin/photodesc completion bash >"$(BASHDIR)/photodesc"
	@bin/photodesc completion zsh >"$(ZSHDIR)/_photodesc"
	@bin/photodesc completion fish >"$(FISHDIR)/photodesc.fish"
	@echo "Installed $$("$(BINDIR)/photodesc" --version) as $(BINDIR)/photodesc"
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) echo "$(PREFIX)/bin is not in PATH. This adds it for now, and in your shell's profile for ever:"; \
		echo "    export PATH=\"$(PREFIX)/bin:\$$PATH\"";; esac
	@echo "Next: photodesc doctor"

uninstall: ## remove what make install copied; models and results stay
	@rm -f "$(BINDIR)/photodesc" "$(BINDIR)"/libggml-vulkan.so "$(BINDIR)"/libggml-cuda.so "$(MANDIR)"/photodesc.1 \
		"$(MANDIR)"/photodesc-*.1 "$(BASHDIR)/photodesc" "$(ZSHDIR)/_photodesc" "$(FISHDIR)/photodesc.fish"
	@rm -rf "$(DOCDIR)"
	@echo "Removed from $(DESTDIR)$(PREFIX). Results stay where they are, fetched models in $${XDG_CACHE_HOME:-~/.cache}/photodesc/models."

demo: setup build $(if $(filter builtin,$(MODEL)),,models) ## describe the photos of examples/photos into demo/
	@mkdir -p demo
	bin/photodesc -C demo run $(CURDIR)/examples/photos $(MODEL:build/%=$(CURDIR)/build/%)
	@echo; sed -nE 's/^.*"path":"(([^"\\]|\\.)*)".*"description":"(([^"\\]|\\.)*)".*$$/\1: \3/p' demo/outputs/*.jsonl
	@echo; echo "Next: your own photos, with a model that sees more; it is fetched once (photodesc models lists them)."; \
	echo "    mkdir -p ~/descriptions && bin/photodesc -C ~/descriptions run ~/Pictures"

test: setup-test upstream models lint ## check the code and run all tests
	@$(GOTEST) $$(go list ./... | grep -Ev '$(RACE)')
	@$(MAKE) --no-print-directory race asan

# Own C, and ggml beside llm/kernels, which is compiled once more for it (90 seconds of one core; Go's cache keeps it). The
# tests that are left out decode for long and reach no other C, or measure memory, which the sanitizer keeps after it is freed.
NOT_ASAN := ^(TestSizes|TestHugePNG|Test.*Leaks|TestEnvironment|TestContainers|TestWholeJPEG|TestWholeFormats|TestDamagedFormats)$$
asan: upstream ## Linux: run the tests of photo/vips and llm/kernels under AddressSanitizer
ifeq ($(OS),Linux)
	@if echo 'int main(void) { return 0; }' | $${CC:-gcc} -fsanitize=address -x c - -o /dev/null 2>/dev/null; \
	then $(GOTEST) -asan -short -skip '$(NOT_ASAN)' ./internal/photo/vips ./llm/kernels; \
	else echo "The compiler has no AddressSanitizer here (libasan): its tests are left out." >&2; fi
else
	@echo "AddressSanitizer is run on Linux only."
endif

# darktable and exiv2 read what `photodesc export xmp` writes. They are large, so make test does without.
FOR_PROGRAMS = { command -v darktable-cli >/dev/null || echo darktable; command -v exiv2 >/dev/null || echo exiv2; }
# axe-core looks at the page of browse; npm fetches it into build, nothing of it is kept here.
AXE_VERSION := 4.10.3
build/axe.min.js:
	@command -v npm >/dev/null || { echo "npm fetches axe-core and is not installed: https://nodejs.org/" >&2; exit 1; }
	@mkdir -p build && cd build && npm pack --silent axe-core@$(AXE_VERSION) >/dev/null && \
		tar -xzf axe-core-$(AXE_VERSION).tgz --strip-components=1 package/axe.min.js && rm axe-core-$(AXE_VERSION).tgz && touch axe.min.js

screenshots: setup-test build ## take the picture of a run anew, and pictures of the page of browse into build/screenshots
	@tools/screenshot/run.sh bin/photodesc docs/run.svg
	@mkdir -p build/screenshots
	PHOTODESC_SCREENSHOTS=$(CURDIR)/build/screenshots go test -count=1 -run '^TestScreenshots$$' ./cmd/photodesc
	@echo "Look at them in build/screenshots. The one in the README is docs/browse.jpg, see docs/browse.md."

test-programs: setup-test upstream build/axe.min.js ## have darktable and exiv2 read sidecars, axe-core look at the page; installs them
	PHOTODESC_AXE=$(CURDIR)/build/axe.min.js go test -count=1 -v -run '^TestAxe$$' ./cmd/photodesc
	$(call ADD,$(FOR_PROGRAMS))
	PHOTODESC_TEST_PROGRAMS=1 go test -count=1 -v -run '^TestPrograms$$' ./internal/xmp

# Slurm is large and runs daemons, so make test does without.
FOR_SLURM = { command -v slurmctld >/dev/null || echo slurmctld; command -v slurmd >/dev/null || echo slurmd; \
	command -v munged >/dev/null || echo munge; command -v sbatch >/dev/null || echo slurm-client; }
test-slurm: build ## run examples/cluster/slurm.sh under a Slurm of one node, as root; installs it
	$(call ADD,$(FOR_SLURM))
	@tools/cluster/test-slurm.sh bin/photodesc

# A newer llama.cpp, which Debian packages. The first line makes the system and installs; the second runs in it.
SUITE ?= sid
test-system: ## link Debian's newer llama.cpp in a chroot of SUITE=sid and test that program, as root
	@tools/chroot $(SUITE) "make git g++ pkg-config libllama-dev libggml-dev libvips-dev libtiff-dev libjpeg-dev imagemagick" \
		$(MAKE) --no-print-directory test-system-inside LLAMA=system
test-system-inside: build
	@bin/photodesc version && PHOTODESC_MODEL=builtin bin/photodesc doctor
	@go test -count=1 ./llm ./llm/kernels ./third_party/llama.cpp
	@go test -count=1 -timeout 40m -v -run '^(TestMeaning|TestGoldenWords|TestSystem.*)$$' ./cmd/photodesc

race: upstream ## run the tests of the packages without llama.cpp under the race detector
	@$(GOTEST) -race $$(go list ./... | grep -E '$(RACE)')

vet: upstream
	@tools/quietgo vet ./...

lint: vet ## gofmt, go vet (also for macOS), staticcheck, docstrings and the layer rules
	@tools/macos/vet.sh
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt has not been run on:" >&2; echo "$$unformatted" >&2; exit 1; }
	@$(LINT) staticcheck ./...
	@$(LINT) depguard ./...
	@$(LINT) revive -config tools/lint/exported.toml -exclude $(UPSTREAM)/... ./...
	@tools/lint/layers
	@cd tools/cluster && go vet ./... && go test ./...

# Go would spend a minute on making each new input of some kilobytes shorter.
fuzz: upstream ## run every fuzz test for FUZZTIME=30s; the first time compiles llama.cpp for it
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
		grep -oE '^func Fuzz[A-Za-z0-9_]*' "$$file" | cut -c6- | while read -r name; do \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$(dirname "$$file")" || exit 1; \
		done || exit 1; \
	done

soak: setup build models ## describe PHOTOS=1000 copies of the examples, then photos through kills of runs, nodes and servers, moves, leaks and faults
	@rm -rf build/soak; mkdir -p build/soak/photos build/soak/run
	@n=0; while [ $$n -lt $(PHOTOS) ]; do for f in examples/photos/*; do \
		[ -f "$$f" ] && [ $$n -lt $(PHOTOS) ] || continue; \
		n=$$((n+1)); ln "$$f" "build/soak/photos/$$n.$${f##*.}" 2>/dev/null || cp "$$f" "build/soak/photos/$$n.$${f##*.}"; \
	done; done
	bin/photodesc -C build/soak/run run $(CURDIR)/build/soak/photos --batch-size 50 $(MODEL:build/%=$(CURDIR)/build/%)
	@done=$$(sort -u build/soak/run/photo_descriptions_progress.txt | wc -l); \
	lines=$$(wc -l <build/soak/run/photo_descriptions_progress.txt); \
	echo "$$lines lines for $(PHOTOS) photos, $$((lines-done)) of them twice"; \
	[ "$$done" -eq $(PHOTOS) ] && [ "$$lines" -eq $(PHOTOS) ]
	PHOTODESC_SOAK=1 go test -count=1 -v -timeout 20m -run '^TestOwnCluster$$' ./internal/cluster
	PHOTODESC_SOAK=1 go test -count=1 -v -timeout 60m -run '^(TestServeKills|TestServeCut|TestServeAsleep|TestFaults|TestNothingWorks|TestKills|TestKillsWithMoves|TestKillsShards|TestKillsBucket|TestLeak|TestSteady)$$' ./cmd/photodesc

bench: build build/models/smolvlm-500m.gguf build/models/mmproj-smolvlm-500m-1024.gguf ## measure the table of docs/performance.md; ROWS="encode walk" some of it
	@go run ./tools/bench $(ROWS)

check-models: build ## fetch models, have them describe pictures of ours; MODELS="a,b" some of them, PHOTOS=DIR your own, STANDINS=1 without real weights
	@$(if $(STANDINS),go run ./tools/mkmodel -published -o build/standins $(if $(MODELS),$(subst $(comma), ,$(MODELS)),all))
	@go build -o build/checkmodels ./tools/checkmodels
	@build/checkmodels $(if $(MODELS),-models "$(MODELS)") $(if $(filter file,$(origin PHOTOS)),,-photos "$(PHOTOS)") $(if $(STANDINS),-pictures 2 -standins build/standins)

# For other machines: any x86 CPU with AVX2.
gpucheck: FOR_ALL := -O3 $(if $(filter x86_64,$(CPU)),-march=x86-64-v3)
gpucheck: upstream ## pack what checks and measures a machine with an NVIDIA GPU, but without Go and libvips
	@mkdir -p build
	CGO_CFLAGS="$(FOR_ALL)" CGO_CXXFLAGS="$(FOR_ALL)" go run ./tools/gpucheck pack >build/photodesc-gpucheck.tar
	@xz -T0 -f build/photodesc-gpucheck.tar && ls -l build/photodesc-gpucheck.tar.xz

# What integers change of texts; make test looks at a hundred.
equal: upstream ## describe 10,000 drawn pictures in integers and without, and count the equal texts
	PHOTODESC_TEST_PICTURES=10000 go test -count=1 -v -timeout 60m -run '^TestEqualTexts$$' ./llm

gobench: upstream models ## run the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

ifeq ($(OS),Darwin)
metal: setup build ## macOS: compile, and check that the binary sees the GPU
	@{ bin/photodesc version; bin/photodesc -C "$$(mktemp -d)" doctor || true; } 2>&1 | grep -i metal || \
		{ echo "bin/photodesc sees no Metal device. Metal is compiled in on Apple silicon only." >&2; exit 1; }
else
metal: ## macOS: compile, and check that the binary sees the GPU
	@echo "make metal is for macOS: it checks that the binary sees the GPU through Metal. This is $(OS)." >&2; exit 1
endif

# A library of its own beside the binary, which loads it at start where it is: see third_party/llama.cpp/README.md.
FOR_VULKAN = { command -v g++ >/dev/null || echo g++; command -v glslc >/dev/null || echo glslc; \
	echo '$(HASH)include <vulkan/vulkan.hpp>' | c++ -E -x c++ - >/dev/null 2>&1 || echo libvulkan-dev; }
HASH := \#

ifeq ($(OS),Linux)
vulkan: upstream ## Linux: build ggml's Vulkan backend beside the binary (some 4 minutes of one core)
	$(call ADD,$(FOR_VULKAN))
	@$(MAKE) --no-print-directory -j$$(nproc) -f third_party/llama.cpp/gpu/gpu.mk bin/libggml-vulkan.so

cuda: upstream ## Linux: build ggml's CUDA backend beside the binary; needs NVIDIA's toolkit (nvcc)
	@command -v $${NVCC:-nvcc} >/dev/null || [ -x /usr/local/cuda/bin/nvcc ] || { \
		echo "nvcc is not installed. It comes with NVIDIA's CUDA toolkit, 11.6 or newer:" >&2; \
		echo "    https://developer.nvidia.com/cuda-downloads, or nvidia-cuda-toolkit in Debian's non-free and Ubuntu" >&2; \
		echo "If it is elsewhere: make cuda NVCC=/path/to/nvcc. Or make vulkan, which needs no toolkit." >&2; exit 1; }
	@$(MAKE) --no-print-directory -j$$(nproc) -f third_party/llama.cpp/gpu/gpu.mk bin/libggml-cuda.so
else
vulkan cuda:
	@echo "make $@ is for Linux. On macOS Metal is part of the program; make metal checks it." >&2; exit 1
endif

-include packaging/release.mk

clean: ## remove what make made; the Go build cache stays
	rm -rf bin build demo dist $(UPSTREAM)
