package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A machine whose memory or sensors say what a test wants: the library that
// reads them looks for /proc and /sys where these variables say.
const (
	hostProc = "HOST_PROC"
	hostSys  = "HOST_SYS"
)

// waitsUntil runs on a machine that cannot bear a photo, and has to say so and
// describe none until relief has come.
func waitsUntil(t *testing.T, variable, dir, sentence string, relief func(), flags ...string) {
	t.Helper()
	h := newHarness(t)
	names := numbered("photo", 20)
	h.add(names...)
	cmd := h.command(flags...)
	cmd.Env = append(os.Environ(), variable+"="+dir)
	u := h.start(cmd)
	u.says(sentence, 1)
	time.Sleep(2 * time.Second) // two looks at the machine
	if n := h.lines(); n != 0 {
		t.Errorf("%d photos were described meanwhile\n%s", n, u.said())
	}
	relief()
	u.end()
	h.tally().check(t, names, nil)
}

func TestWaitsForMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	meminfo := func(available string) {
		write(t, filepath.Join(dir, "meminfo"), "MemTotal: 16000000 kB\nMemFree: 100000 kB\nMemAvailable: "+available+
			" kB\nBuffers: 0 kB\nCached: 0 kB\nActive: 0 kB\nInactive: 0 kB\nWritebackTmp: 0 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
	}
	meminfo("2032000")
	waitsUntil(t, hostProc, dir, "WARNING - Memory usage high (87.3%), waiting for memory to free up...",
		func() { meminfo("9000000") })
}

func TestWaitsForHeat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sensor := filepath.Join(dir, "class", "hwmon", "hwmon0")
	if err := os.MkdirAll(sensor, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(sensor, "name"), "coretemp\n")
	write(t, filepath.Join(sensor, "temp1_input"), "95000\n")
	waitsUntil(t, hostSys, dir, "WARNING - Temperature high (95 °C), waiting until it is below 75 °C...",
		func() { write(t, filepath.Join(sensor, "temp1_input"), "60000\n") }, "--max-temp", "80")
}

// Without sensors --max-temp can do nothing, and says so once.
func TestNoSensors(t *testing.T) {
	h := newHarness(t)
	names := numbered("photo", 3)
	h.add(names...)
	cmd := h.command("--max-temp", "80")
	said := &strings.Builder{}
	cmd.Stderr = said
	cmd.Env = append(os.Environ(), hostSys+"="+t.TempDir())
	if err := cmd.Run(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	if want := "WARNING - No temperature sensor can be read: the limit of 80 °C has no effect"; strings.Count(said.String(), want) != 1 {
		t.Errorf("it does not say %q once:\n%s", want, said)
	}
	h.tally().check(t, names, nil)
}

// write replaces a file at once: whoever reads it finds the old or the new.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// On battery no photo is begun, if that is asked for.
func TestWaitsForMainsPower(t *testing.T) {
	dir := t.TempDir()
	supply := filepath.Join(dir, "class", "power_supply")
	for _, name := range []string{"AC", "BAT0"} {
		if err := os.MkdirAll(filepath.Join(supply, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(supply, "AC", "type"), "Mains\n")
	write(t, filepath.Join(supply, "AC", "online"), "0\n")
	write(t, filepath.Join(supply, "BAT0", "type"), "Battery\n")
	write(t, filepath.Join(supply, "BAT0", "status"), "Discharging\n")
	waitsUntil(t, hostSys, dir, "WARNING - The machine runs on its battery, waiting for mains power...",
		func() { write(t, filepath.Join(supply, "AC", "online"), "1\n") }, "--on-battery", "pause")
}
