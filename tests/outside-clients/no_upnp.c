/* Stands in front of libgupnp-igd. Debian 12's simple-whip-client is linked to libsoup 2, and libnice brings libsoup 3 by way of
   UPnP; libsoup refuses to run beside another version of itself. Without UPnP there is one. */
#include <stddef.h>

unsigned long gupnp_simple_igd_get_type(void) { return 20 << 2; /* G_TYPE_OBJECT */ }
void *gupnp_simple_igd_thread_new(void) { return NULL; }
void gupnp_simple_igd_add_port(void) {}
void gupnp_simple_igd_remove_port_local(void) {}
