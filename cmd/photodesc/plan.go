package main

// maxSlots is where generating for more photos at once stops paying.
const maxSlots = 8
