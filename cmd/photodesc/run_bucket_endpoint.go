package main

import (
	"github.com/spf13/pflag"

	"photodesc/internal/bucket"
	"photodesc/internal/config"
	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
)

// rememberEndpoint makes the endpoint and region in the usual variables settings of a run on a bucket. A run that goes on without these
// variables, as a service does, then asks the same storage and not another one in which the bucket's name is somebody else's.
func rememberEndpoint(cfg *config.Config, flags *pflag.FlagSet, place string) error {
	if !fsutil.IsBucket(place) {
		return nil
	}
	endpoint, region, err := bucket.FromEnvironment()
	if err != nil {
		return ui.UsageError("%w", err)
	}
	for name, value := range map[string]string{"s3-endpoint": endpoint, "s3-region": region} {
		if value == "" || !cfg.IsOpen(name) {
			continue
		}
		if err := flags.Set(name, value); err != nil {
			return err
		}
	}
	return nil
}
