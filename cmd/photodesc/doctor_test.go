package main

import (
	"strings"
	"testing"
	"time"
)

// TestDoctorIsNotKeptWaiting has a run that does not answer in time.
func TestDoctorIsNotKeptWaiting(t *testing.T) {
	began := time.Now()
	_, err := checkModel(10 * time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "was not described within") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}
