// The system's libcurl, opened when it is first needed: a start without the network pays nothing for it, and its TLS and
// its list of authorities are the machine's own. Each call is one of libcurl's, whose variadic ones Swift cannot make.
#ifndef CAIRN_HTTP_H
#define CAIRN_HTTP_H

#include <stddef.h>
#include <stdint.h>

/// Opens the library, once. NULL, or what is wrong.
const char *cairn_http_load(void);

/// An easy handle; NULL when there is no memory. All that follow take one, and `cairn_http_load` must have worked.
void *cairn_http_new(void);
/// Options are forgotten, connections kept.
void cairn_http_reset(void *handle);
void cairn_http_free(void *handle);

/// Options by their numbers, of each kind that libcurl has. 0, or its code for the failure.
int cairn_http_set_number(void *handle, int option, long value);
int cairn_http_set_size(void *handle, int option, int64_t value);
int cairn_http_set_text(void *handle, int option, const char *value);
int cairn_http_set_pointer(void *handle, int option, void *value);

typedef size_t (*cairn_http_data)(char *buffer, size_t size, size_t count, void *context);
typedef int (*cairn_http_seek)(void *context, int64_t offset, int origin);
int cairn_http_set_data_function(void *handle, int option, cairn_http_data function);
int cairn_http_set_seek_function(void *handle, int option, cairn_http_seek function);

/// A list of texts with one more; NULL when there is no memory. The old list is part of it.
void *cairn_http_append(void *list, const char *text);
void cairn_http_free_list(void *list);

/// Blocks until the exchange has ended. 0, or the code of the failure.
int cairn_http_perform(void *handle);
int cairn_http_get_number(void *handle, int information, long *value);
/// libcurl's words for a code.
const char *cairn_http_words(int code);

#endif
