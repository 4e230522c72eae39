// Starting libvips, and asking it what it can do. See startup.c.
#ifndef PHOTODESC_VIPS_STARTUP_H
#define PHOTODESC_VIPS_STARTUP_H

enum { PD_LOAD_MISSING, PD_LOAD_BLOCKED, PD_LOAD_YES };

int pd_startup(int untrusted);          // 0 on success
int pd_can_load(const char *loader);    // a PD_LOAD_… for libvips' nickname

#endif
