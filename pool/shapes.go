package pool

// Shapes are the numbers of workers and threads that are worth measuring on a
// machine of cpus cores: all cores shared out among workers of 1, 2, 4, … threads,
// and, as cores may share what computes, half of them with one thread each.
func Shapes(cpus int) (all []Shape) {
	cpus = max(cpus, 1)
	for threads := 1; threads < cpus; threads *= 2 {
		all = append(all, Shape{cpus / threads, threads})
		if threads == 1 && cpus >= 4 {
			all = append(all, Shape{cpus / 2, 1})
		}
	}
	return append(all, Shape{1, cpus})
}
