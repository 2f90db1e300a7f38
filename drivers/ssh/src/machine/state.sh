# Whose this machine is, and which boot it runs. Runs as root, changes nothing.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
echo "skep:address=$(set -- $1; echo "$3")"
if [ -e /etc/skep/adopted ]; then
    echo "skep:marker=$(base64 </etc/skep/adopted | tr -d '\n')"
fi
# Another one after every boot: the kernel's, and when the first process began, by which a container's differ, too.
echo "skep:boot=$(cat /proc/sys/kernel/random/boot_id).$(sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20)"
echo skep:end=yes
