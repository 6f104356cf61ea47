// Circular doubly linked lists through the objects in them: to join and to leave is a few stores, from anywhere.
//
// A list is a link of its own, whose neighbours are the last and the first. A link that is in no list has none. Whose a link
// is, who keeps the list knows: by how far into its owner it lies. In C because the same through references of Swift
// objects would count each of them at each step.
#pragma once

#include <stddef.h>

typedef struct clinux_link {
    struct clinux_link *previous;  ///< towards the first; NULL when in no list
    struct clinux_link *next;      ///< towards the last; NULL when in no list
} clinux_link;

static inline void clinux_list_init(clinux_link *list) {
    list->previous = list->next = list;
}

static inline int clinux_link_is_linked(const clinux_link *link) { return link->next != NULL; }

/// Puts `link`, which is in no list, before `place`: at the end of a list when `place` is the list.
static inline void clinux_link_insert(clinux_link *link, clinux_link *place) {
    link->previous = place->previous;
    link->next = place;
    place->previous->next = link;
    place->previous = link;
}

/// Takes `link` out of its list, if it is in one.
static inline void clinux_link_remove(clinux_link *link) {
    if (link->next == NULL) {
        return;
    }
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->previous = link->next = NULL;
}

/// The link behind `link` in `list`, or NULL at the end; behind the list itself comes the first.
static inline clinux_link *clinux_link_next(const clinux_link *link, const clinux_link *list) {
    return link->next == list ? NULL : link->next;
}

/// The first link of a list, or NULL.
static inline clinux_link *clinux_list_first(const clinux_link *list) { return clinux_link_next(list, list); }
