// Package spool keeps photos that were fetched from elsewhere in a private folder while workers read them.
//
// A worker may read only one folder, so the supervisor fetches photos into that of [Spool.Dir] and tells the worker their names there.
// All files together have at most as many bytes as [Open] was told. [Spool.Add] waits until there is room, so fetching stays just
// ahead of the workers:
//
//	s, err := spool.Open(filepath.Join(workdir, "spool"), spool.Options{MaxBytes: 2 << 30})
//	defer s.Close()
//	f, err := s.Add(ctx, "album/beach.jpg", size, modTime, func(w io.Writer) error { … })
//	… // a worker reads f.Name() below s.Dir()
//	f.Remove()
//
// A file appears in Dir when all of it is there. Until then it is in a folder that workers may not read.
//
// Below the folder given to Open each Spool has a folder of its own with a locked file. The system releases the lock when the process
// ends, however it ends. Open removes folders whose locks are free.
package spool
