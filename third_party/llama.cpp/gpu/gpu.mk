# Builds ggml's backends for GPUs as libraries beside the program, for `make vulkan` and `make cuda`. Nothing of ggml is
# linked in: there is one, the program's, which exports it. The objects stay in build/, so that a build that was broken
# off goes on where it was.

HERE     := third_party/llama.cpp
GGML     := $(HERE)/upstream/ml/backend/ggml/ggml
COMMIT   := $(shell sed -nE 's/^char const \*LLAMA_COMMIT = "(.*)";$$/\1/p' $(HERE)/upstream/llama/build-info.cpp)
ifndef MODULE # as it is where there is no Go
MODULE   := $(shell go list -m -f '{{.Version}}' github.com/ollama/ollama)
endif
STAMP    := -DPD_STAMP='"llama.cpp $(COMMIT), ollama $(MODULE)"'
# What is in GGML_BACKEND_DL makes ggml_backend_init, by which the program finds the backend.
DEFINES  := -DNDEBUG -DGGML_BACKEND_DL -DGGML_BACKEND_SHARED -DGGML_BACKEND_BUILD
CXXFLAGS := -std=c++17 -O2 -fPIC -fvisibility=hidden $(DEFINES) -I$(GGML)/include -I$(GGML)/src

.DELETE_ON_ERROR:
.SECONDARY:

# Vulkan: a generator of ggml's runs glslc for each variant of each shader, about 1,300, and writes them as C++.
VK       := build/vulkan/$(MODULE)
VK_SRC   := $(GGML)/src/ggml-vulkan
VK_OBJ   := $(patsubst $(VK_SRC)/vulkan-shaders/%,$(VK)/%.o,$(wildcard $(VK_SRC)/vulkan-shaders/*.comp))
HASH     := \#
# What glslc knows decides which variants there are. $(call knows,EXTENSION,NAME)
knows     = $(shell printf '$(HASH)version 450\n$(HASH)extension %s : require\nvoid main() {}\n' $(1) | \
	glslc -fshader-stage=compute --target-env=vulkan1.3 -o /dev/null - 2>/dev/null && echo -DGGML_VULKAN_$(2)_GLSLC_SUPPORT)
VK_HAS   := $(call knows,GL_KHR_cooperative_matrix,COOPMAT) $(call knows,GL_NV_cooperative_matrix2,COOPMAT2) \
	$(call knows,GL_EXT_integer_dot_product,INTEGER_DOT) $(call knows,GL_EXT_bfloat16,BFLOAT16)

bin/libggml-vulkan.so: $(VK)/ggml-vulkan.o $(VK)/stamp.o $(VK_OBJ)
	@mkdir -p bin
	$(CXX) -shared -o $@ $^ -lvulkan

$(VK)/ggml-vulkan.o: $(HERE)/gpu/old-vulkan.h | $(VK)/ggml-vulkan-shaders.hpp
	$(CXX) $(CXXFLAGS) $(VK_HAS) -include $< -I$(VK) -c -o $@ $(VK_SRC)/ggml-vulkan.cpp

# As many runs of glslc side by side as there are cores, and not 64.
$(VK)/vulkan-shaders-gen:
	@mkdir -p $(VK)/spv
	sed "s/^#define ASYNCIO_CONCURRENCY .*/#define ASYNCIO_CONCURRENCY $$(nproc)/" $(VK_SRC)/vulkan-shaders/vulkan-shaders-gen.cpp | \
		$(CXX) -std=c++17 -O1 $(VK_HAS) -o $@ -x c++ - -pthread

$(VK)/ggml-vulkan-shaders.hpp: | $(VK)/vulkan-shaders-gen
	$(VK)/vulkan-shaders-gen --output-dir $(VK)/spv --target-hpp $@

# The generator says what glslc could not compile, leaves it out and calls that a success.
$(VK)/%.comp.cpp: | $(VK)/ggml-vulkan-shaders.hpp
	@echo "shaders of $*.comp"
	@said=$$($(VK)/vulkan-shaders-gen --glslc glslc --source $(VK_SRC)/vulkan-shaders/$*.comp --output-dir $(VK)/spv \
		--target-hpp $(VK)/ggml-vulkan-shaders.hpp --target-cpp $@ 2>&1) && [ -z "$$said" ] || { echo "$$said" >&2; rm -f $@; exit 1; }

$(VK)/%.comp.o: $(VK)/%.comp.cpp
	@$(CXX) -std=c++17 -O1 -fPIC -fvisibility=hidden -c -o $@ $<

# CUDA: for the GPU of this machine, or where there is none for every kind. For certain ones: make cuda CUDA_ARCH=sm_90
CU        := build/cuda/$(MODULE)
CU_SRC    := $(GGML)/src/ggml-cuda
CU_FILES  := $(wildcard $(CU_SRC)/*.cu) $(foreach kind,fattn-tile* fattn-mma* mmq* mmf* \
	fattn-vec*f16-f16 fattn-vec*q4_0-q4_0 fattn-vec*q8_0-q8_0,$(wildcard $(CU_SRC)/template-instances/$(kind).cu))
CU_OBJ    := $(patsubst $(CU_SRC)/%,$(CU)/%.o,$(CU_FILES))
NVCC      ?= $(firstword $(shell command -v nvcc) $(wildcard /usr/local/cuda/bin/nvcc))
CUDA_ARCH ?= $(if $(shell nvidia-smi -L 2>/dev/null),native,all-major)
CU_FLAGS  := -std=c++17 -O3 -arch=$(CUDA_ARCH) -use_fast_math -extended-lambda $(DEFINES) \
	-DGGML_CUDA_PEER_MAX_BATCH_SIZE=128 -DGGML_CUDA_USE_GRAPHS -I$(GGML)/include -I$(GGML)/src -I$(CU_SRC) \
	-Xcompiler=-fPIC,-fvisibility=hidden

# libcuda comes with the driver; where there is none, the toolkit (NVIDIA's, Debian's) has a stand-in to link with. The
# toolkit's folder of libraries is noted in ours: the system's loader may not know it.
CU_LIBS   := $(realpath $(wildcard $(addprefix $(dir $(realpath $(shell command -v $(NVCC))))../,lib64 lib)))
CU_STUBS  := $(CU_LIBS:%=%/stubs) /usr/lib/$(shell uname -m)-linux-gnu/stubs
CU_RPATH  := $(patsubst %/,%,$(firstword $(dir $(wildcard $(CU_LIBS:%=%/libcublas.so)))))

bin/libggml-cuda.so: $(CU_OBJ) $(CU)/stamp.o
	@mkdir -p bin
	$(NVCC) -shared -o $@ $^ $(CU_STUBS:%=-L%) -lcublas -lcuda $(CU_RPATH:%=-Xlinker -rpath=%)

$(CU)/%.cu.o:
	@mkdir -p $(@D)
	@echo "nvcc $*.cu"
	@$(NVCC) $(CU_FLAGS) -c -o $@ $(CU_SRC)/$*.cu

%/stamp.o: $(HERE)/gpu/stamp.cpp
	@mkdir -p $(@D)
	$(CXX) -O2 -fPIC $(STAMP) -c -o $@ $<
