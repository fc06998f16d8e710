#!/bin/sh
# make-initrd.sh ROOT OUTPUT: an initrd that can do one thing, mount /dev/vda (virtio_blk, ext4) and start systemd. The
# NIC driver is in it too, so that addresses can be set before udev-like work would have loaded it.
set -eu
root=$1
output=$2
version=$(ls "$root/usr/lib/modules")
modules="$root/usr/lib/modules/$version"
stage=$(mktemp -d "$output.XXXXXX")
mkdir -p "$stage/bin" "$stage/dev" "$stage/m" "$stage/proc" "$stage/r"
cp "$root/usr/bin/busybox" "$stage/bin/busybox"
wanted=
for name in crc32c_generic virtio_pci virtio_blk ext4 virtio_net virtio_rng; do
  file=$(sed -n "s#^\([^:]*/$name\.ko\):.*#\1#p" "$modules/modules.dep")
  [ -n "$file" ] || continue
  for dependency in $(sed -n "s#^$file:##p" "$modules/modules.dep" | tr ' ' '\n' | tac) "$file"; do
    case " $wanted " in *" $dependency "*) ;; *) wanted="$wanted $dependency" ;; esac
  done
done
{
  echo '#!/bin/busybox sh'
  for file in $wanted; do
    cp "$modules/$file" "$stage/m/"
    echo "/bin/busybox insmod /m/${file##*/}"
  done
  cat <<'INIT'
/bin/busybox mount -t devtmpfs d /dev
/bin/busybox mount -t proc p /proc
/bin/busybox mount -o rw,noatime -t ext4 /dev/vda /r || { echo "pilothouse: cannot mount /dev/vda"; exec /bin/busybox poweroff -f; }
for word in $(/bin/busybox cat /proc/cmdline); do
  case $word in pilothouse.machine-id=*) echo "${word#*=}" > /r/etc/machine-id ;; esac
done
/bin/busybox umount /proc
/bin/busybox mount -o move /dev /r/dev
exec /bin/busybox switch_root /r /usr/lib/systemd/systemd
INIT
} > "$stage/init"
chmod 755 "$stage/init"
(cd "$stage" && find . | sort | cpio -o -H newc --quiet | gzip -9) > "$output"
rm -rf "$stage"
