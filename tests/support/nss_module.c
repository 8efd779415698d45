/* An NSS module that says what a file says: /mnt/nss/MODULE has a status (NOTFOUND, UNAVAIL, TRYAGAIN), or SUCCESS and
 * addresses. WITH_4 is defined where it has the function for both families at once, as newer modules do. */

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <stdio.h>
#include <string.h>

#define GLUE_(a, b, c) a##b##c
#define GLUE(a, b, c) GLUE_(a, b, c)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define MOST 16

struct address {
    int family;
    unsigned char bytes[16];
};

/* The status that the file has, and the addresses of a family, or of both (AF_UNSPEC). */
static enum nss_status read_file(int family, struct address *found, int *count, int *errnop, int *h_errnop)
{
    char word[64] = "UNAVAIL";
    FILE *file = fopen("/mnt/nss/" TEXT(MODULE), "re");
    *count = 0;
    if (file != NULL) {
        if (fscanf(file, "%63s", word) == 1 && strcmp(word, "SUCCESS") == 0) {
            char text[64];
            while (*count < MOST && fscanf(file, "%63s", text) == 1) {
                int its = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
                if ((family == AF_UNSPEC || family == its) && inet_pton(its, text, found[*count].bytes) == 1)
                    found[(*count)++].family = its;
            }
        }
        fclose(file);
    }
    if (*count > 0) {
        *h_errnop = NETDB_SUCCESS;
        return NSS_STATUS_SUCCESS;
    }
    if (strcmp(word, "UNAVAIL") == 0) {
        *errnop = ENOENT;
        *h_errnop = NO_RECOVERY;
        return NSS_STATUS_UNAVAIL;
    }
    if (strcmp(word, "TRYAGAIN") == 0) {
        *errnop = EAGAIN;
        *h_errnop = TRY_AGAIN;
        return NSS_STATUS_TRYAGAIN;
    }
    *errnop = ENOENT;
    *h_errnop = strcmp(word, "SUCCESS") == 0 ? NO_DATA : HOST_NOT_FOUND;
    return NSS_STATUS_NOTFOUND;
}

enum nss_status GLUE(_nss_, MODULE, _gethostbyname2_r)(const char *name, int family, struct hostent *result,
                                                      char *buffer, size_t room, int *errnop, int *h_errnop)
{
    struct address found[MOST];
    struct layout {
        char *list[MOST + 1];
        char *aliases[1];
        unsigned char bytes[MOST][16];
        char name[256];
    } *layout = (struct layout *)(((size_t)buffer + 15) & ~(size_t)15);
    int count;
    enum nss_status status = read_file(family, found, &count, errnop, h_errnop);
    if (status != NSS_STATUS_SUCCESS)
        return status;
    if (room < sizeof *layout + 16 || strlen(name) >= sizeof layout->name) {
        *errnop = ERANGE;
        *h_errnop = NETDB_INTERNAL;
        return NSS_STATUS_TRYAGAIN;
    }
    for (int i = 0; i < count; i++) {
        memcpy(layout->bytes[i], found[i].bytes, 16);
        layout->list[i] = (char *)layout->bytes[i];
    }
    layout->list[count] = layout->aliases[0] = NULL;
    result->h_name = strcpy(layout->name, name);
    result->h_aliases = layout->aliases;
    result->h_addrtype = family;
    result->h_length = family == AF_INET ? 4 : 16;
    result->h_addr_list = layout->list;
    return status;
}

#ifdef WITH_4
enum nss_status GLUE(_nss_, MODULE, _gethostbyname4_r)(const char *name, struct gaih_addrtuple **pat, char *buffer,
                                                      size_t room, int *errnop, int *h_errnop, int *ttlp)
{
    struct address found[MOST];
    struct layout {
        struct gaih_addrtuple tuples[MOST];
        char name[256];
    } *layout = (struct layout *)(((size_t)buffer + 15) & ~(size_t)15);
    int count;
    enum nss_status status = read_file(AF_UNSPEC, found, &count, errnop, h_errnop);
    (void)ttlp;
    if (status != NSS_STATUS_SUCCESS)
        return status;
    if (room < sizeof *layout + 16 || strlen(name) >= sizeof layout->name) {
        *errnop = ERANGE;
        *h_errnop = NETDB_INTERNAL;
        return NSS_STATUS_TRYAGAIN;
    }
    strcpy(layout->name, name);
    for (int i = 0; i < count; i++) {
        struct gaih_addrtuple *tuple = &layout->tuples[i];
        memset(tuple, 0, sizeof *tuple);
        tuple->name = layout->name;
        tuple->family = found[i].family;
        memcpy(tuple->addr, found[i].bytes, 16);
        tuple->next = i + 1 < count ? tuple + 1 : NULL;
    }
    *pat = layout->tuples;
    return status;
}
#endif
