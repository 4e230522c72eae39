package main

func batches(n int) string {
	if n == 1 {
		return "1 batch"
	}
	return comma(n) + " batches"
}
