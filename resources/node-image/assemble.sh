#!/bin/sh
# assemble.sh RECIPE ROOTFS.TAR OUTPUT: turns the installed packages into the files a machine boots from. Runs as root or
# as the root of a user namespace. Prints "step: …" lines for the person who waits.
set -eu
recipe=$1
tarball=$2
output=$3
size=${NODE_IMAGE_SIZE:-4G}
root="$output/root"

echo 'step: unpacking the root file system'
mkdir "$root"
tar -xpf "$tarball" -C "$root" --numeric-owner --exclude='./dev/*'
rm -f "$tarball"

echo 'step: trimming the kernel'
mkdir "$root/tmp/kernel"
dpkg-deb -x "$root"/opt/linux-image-*.deb "$root/tmp/kernel"
mkdir -p "$root/usr/lib/modules"
for path in lib/modules usr/lib/modules; do
  if [ -d "$root/tmp/kernel/$path" ]; then cp -a "$root/tmp/kernel/$path/." "$root/usr/lib/modules/"; fi
done
cp "$root"/tmp/kernel/boot/vmlinuz-* "$output/vmlinuz"
# An uncompressed kernel saves its own decompression, which is slow in an emulated machine. Trailing bytes after the
# compressed stream make zstd complain after it has written everything, so the result is judged, not the exit code.
start=$(LC_ALL=C grep -aobP -m1 '\x28\xb5\x2f\xfd' "$output/vmlinuz" | head -1 | cut -d: -f1)
if [ -n "$start" ]; then tail -c "+$((start + 1))" "$output/vmlinuz" | zstd -dcq > "$output/vmlinux" 2> /dev/null || true; fi
if [ "$(head -c 4 "$output/vmlinux" 2> /dev/null | tail -c 3)" = ELF ]; then rm "$output/vmlinuz"; else mv "$output/vmlinuz" "$output/vmlinux"; fi
version=$(ls "$root/usr/lib/modules")
rm -rf "$root/tmp/kernel" "$root"/opt/linux-image-*.deb
grep -v '^#' "$recipe/removed-modules.txt" | while read -r folder; do
  rm -rf "$root/usr/lib/modules/$version/kernel/$folder"
done
find "$root/usr/lib/modules/$version" -name '*.ko.xz' -print0 | xargs -0 -r -n 40 xz -d
chroot "$root" depmod "$version"

echo 'step: configuring systemd and Docker'
(cd "$recipe/rootfs" && tar -c --owner=0 --group=0 --mode='u=rwX,go=rX' .) | tar -x -C "$root" --keep-directory-symlink
chmod 755 "$root/opt/pilothouse/node-init" "$root/etc/acpi/PWRF/00000080"
grep -v '^#' "$recipe/masked-units.txt" | while read -r unit; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
mkdir -p "$root/etc/systemd/system-generators"
grep -v '^#' "$recipe/masked-generators.txt" | while read -r generator; do
  ln -sf /dev/null "$root/etc/systemd/system-generators/$generator"
done
wants="$root/etc/systemd/system/sysinit.target.wants"
mkdir -p "$wants" "$root/etc/systemd/system/multi-user.target.wants"
rm -f "$root"/etc/systemd/system/multi-user.target.wants/* "$root"/etc/systemd/system/sockets.target.wants/* \
  "$root"/etc/systemd/system/timers.target.wants/*
for unit in pilothouse-node ssh; do ln -sf "/etc/systemd/system/$unit.service" "$wants/$unit.service"; done
for unit in containerd docker pilothouse-power; do
  ln -sf "/etc/systemd/system/$unit.service" "$root/etc/systemd/system/multi-user.target.wants/$unit.service"
done
ln -sf /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/resolv.conf"
echo 'nameserver 10.0.2.3' > "$root/etc/resolv.conf"
echo '/dev/vda / ext4 rw,noatime 0 0' > "$root/etc/fstab"
sed -i 's/^root:[^:]*:/root:*:/' "$root/etc/shadow"
: > "$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"
for alternative in iptables ip6tables; do
  chroot "$root" update-alternatives --set "$alternative" "/usr/sbin/$alternative-nft" > /dev/null
done

echo 'step: making the pause image'
pause="$output/pause"
mkdir -p "$pause/bin" "$pause/proc" "$pause/sys" "$pause/dev" "$pause/etc" "$pause/tmp"
cp "$root/usr/bin/tini-static" "$pause/pause"
cp "$root/usr/bin/busybox" "$pause/bin/busybox"
for applet in sh sleep; do ln "$pause/bin/busybox" "$pause/bin/$applet"; done
tar -c --owner=0 --group=0 --numeric-owner --sort=name --mtime='2020-01-01 UTC' -C "$pause" -f "$root/opt/pilothouse/pause.tar" .
rm -rf "$pause"

rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/usr/share/info/* \
  "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root/usr/share/bash-completion" "$root"/var/log/*.log

echo 'step: making the initrd'
sh "$recipe/make-initrd.sh" "$root" "$output/initrd"

echo 'step: collecting facts'
{
  echo "kernel=$version"
  echo "docker=$(chroot "$root" dpkg-query -W -f '${Version}' docker.io)"
  echo "containerd=$(chroot "$root" dpkg-query -W -f '${Version}' containerd)"
  echo "node=$(chroot "$root" dpkg-query -W -f '${Version}' nodejs)"
  echo "systemd=$(chroot "$root" dpkg-query -W -f '${Version}' systemd)"
} > "$output/facts"

echo 'step: writing the disk'
truncate -s "$size" "$output/disk.raw"
mkfs.ext4 -q -F -L root -m 0 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard -d "$root" "$output/disk.raw"
rm -rf "$root"
