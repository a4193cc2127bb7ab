#include "CHTTP.h"

#include <dlfcn.h>
#include <pthread.h>

static struct {
  const char *error;
  int (*global_init)(long);
  void *(*easy_init)(void);
  void (*easy_reset)(void *);
  void (*easy_cleanup)(void *);
  int (*easy_setopt)(void *, int, ...);
  int (*easy_perform)(void *);
  int (*easy_getinfo)(void *, int, ...);
  const char *(*easy_strerror)(int);
  void *(*slist_append)(void *, const char *);
  void (*slist_free_all)(void *);
} curl;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
#ifdef __APPLE__
  static const char *const names[] = {"/usr/lib/libcurl.4.dylib"};
#else
  static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl-nss.so.4"};
#endif
  void *library = NULL;
  for (size_t index = 0; index < sizeof names / sizeof *names && library == NULL; index++) {
    library = dlopen(names[index], RTLD_NOW | RTLD_LOCAL);
  }
  if (library == NULL) {
    curl.error = "the system's libcurl is not here";
    return;
  }
#define FIND(member, name) \
  if ((*(void **)&curl.member = dlsym(library, name)) == NULL) { \
    curl.error = "the system's libcurl lacks " name; \
    return; \
  }
  FIND(global_init, "curl_global_init")
  FIND(easy_init, "curl_easy_init")
  FIND(easy_reset, "curl_easy_reset")
  FIND(easy_cleanup, "curl_easy_cleanup")
  FIND(easy_setopt, "curl_easy_setopt")
  FIND(easy_perform, "curl_easy_perform")
  FIND(easy_getinfo, "curl_easy_getinfo")
  FIND(easy_strerror, "curl_easy_strerror")
  FIND(slist_append, "curl_slist_append")
  FIND(slist_free_all, "curl_slist_free_all")
#undef FIND
  // CURL_GLOBAL_ALL.
  if (curl.global_init(3) != 0) curl.error = "the system's libcurl does not start";
}

const char *cairn_http_load(void) {
  pthread_once(&once, load);
  return curl.error;
}

void *cairn_http_new(void) { return curl.easy_init(); }
void cairn_http_reset(void *handle) { curl.easy_reset(handle); }
void cairn_http_free(void *handle) { curl.easy_cleanup(handle); }

int cairn_http_set_number(void *handle, int option, long value) { return curl.easy_setopt(handle, option, value); }
int cairn_http_set_size(void *handle, int option, int64_t value) { return curl.easy_setopt(handle, option, value); }
int cairn_http_set_text(void *handle, int option, const char *value) { return curl.easy_setopt(handle, option, value); }
int cairn_http_set_pointer(void *handle, int option, void *value) { return curl.easy_setopt(handle, option, value); }

int cairn_http_set_data_function(void *handle, int option, cairn_http_data function) {
  return curl.easy_setopt(handle, option, function);
}

int cairn_http_set_seek_function(void *handle, int option, cairn_http_seek function) {
  return curl.easy_setopt(handle, option, function);
}

void *cairn_http_append(void *list, const char *text) { return curl.slist_append(list, text); }
void cairn_http_free_list(void *list) { curl.slist_free_all(list); }
int cairn_http_perform(void *handle) { return curl.easy_perform(handle); }
int cairn_http_get_number(void *handle, int information, long *value) {
  return curl.easy_getinfo(handle, information, value);
}
const char *cairn_http_words(int code) { return curl.easy_strerror(code); }
