//go:build !llama_system

#include "upstream/llama/build-info.cpp"
