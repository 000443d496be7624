// Used only where libltdl's own header is missing: NEST's module_manager.h names this handle type, nothing more.

#ifndef LTDL_H
#define LTDL_H

typedef void* lt_dlhandle;

#endif
