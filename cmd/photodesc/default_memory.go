package main

// defaultMemory is what a run may use unless told otherwise.
const defaultMemory = "60%"
