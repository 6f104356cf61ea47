// Circular doubly linked lists through the objects in them: to join and to leave is a few stores, from anywhere.
//
// A list is a link of its own, whose neighbours are the last and the first. A link that is in no list is its own neighbour
// or, fresh, has none. In C because the same through references of Swift objects would count each of them at each step.
#pragma once

#include <stddef.h>

typedef struct clinux_link {
    struct clinux_link *previous;  ///< towards the first; NULL when in no list
    struct clinux_link *next;      ///< towards the last; NULL when in no list
    void *owner;                   ///< the object that the link is part of; not counted. NULL in a list's own link
} clinux_link;

static inline void clinux_list_init(clinux_link *list) {
    list->previous = list->next = list;
    list->owner = NULL;
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

/// The owner of the first link of a list, or NULL.
static inline void *clinux_list_first(const clinux_link *list) { return list->next->owner; }

/// The owner of the link behind `link`, or NULL at the end.
static inline void *clinux_link_next(const clinux_link *link) { return link->next->owner; }
