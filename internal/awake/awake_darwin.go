package awake

func hold() (string, func(), error) { return caffeinate() }
