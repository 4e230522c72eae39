package main

func checkAwake() (string, error) { return "", note{"to come"} }
