// Part of each library of a backend: what it was built from. The program reads
// the section from the file, before it lets the library into its process.
#ifndef PD_STAMP
#error "PD_STAMP names the sources; gpu.mk sets it"
#endif

__attribute__((section("photodesc"), used, visibility("default")))
extern const char pd_backend_stamp[] = PD_STAMP;
