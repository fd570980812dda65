# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Shell functions that copy what test machines need out of the build root and the kernel, each
# by a list on the standard input, a name a line. To be sourced, after lib.sh.

# Folders of a new TREE, merged as Debian's are.
make_tree() {
	local tree=$1 name
	rm -rf "$tree"
	mkdir -p "$tree"/usr/{bin,sbin,lib,lib64}
	for name in bin sbin lib lib64; do ln -s "usr/$name" "$tree/$name"; done
}

# Programs of the build root ROOT with the libraries they want, below the same paths of TREE.
copy_programs() {
	local root=$1 tree=$2 program library
	while read -r program; do
		[ -e "$root$program" ] || { echo "no $program in the build root"; return 1; }
		(cd "$root" && cp -L --parents ".$program" "$tree")
		"$TOP/scripts/in-root" ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || true
	done < <(grep '^/') | sort -u |
		while read -r library; do
			(cd "$root" && cp -L --parents ".$library" "$tree")
		done
}

# Modules of the folder KERNEL to TREE/modules; the instrumented kernel has all built in.
copy_modules() {
	local kernel=$1 tree=$2 module file
	mkdir -p "$tree/modules"
	while read -r module; do
		file=$(find "$kernel/modules" -name "$module.ko*" | head -n 1)
		case $file in
		*.xz) "$TOP/scripts/in-root" xz -dc "$file" </dev/null >"$tree/modules/$module.ko" ;;
		*.ko) cp "$file" "$tree/modules/" ;;
		*) echo "# built in: $module" ;;
		esac
	done < <(grep -v '^#')
}
