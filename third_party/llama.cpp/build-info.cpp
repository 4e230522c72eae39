#include "upstream/llama/build-info.cpp"
