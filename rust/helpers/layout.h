/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPC_HELPERS_LAYOUT_H
#define TCPC_HELPERS_LAYOUT_H

#include <linux/types.h>

#define TCPC_LAYOUT 28

extern const u32 tcpc_layout[TCPC_LAYOUT];

#endif
