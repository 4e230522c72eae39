package main

import (
	"photodesc/llm"
)

// gpuRoom is the memory that the GPUs together have left, in bytes.
func gpuRoom(devices []llm.Device) (free uint64) {
	for _, d := range devices {
		if d.Kind == "GPU" {
			free += d.Free
		}
	}
	return free
}
