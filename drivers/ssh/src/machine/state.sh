# Whose this machine is. Runs as root, changes nothing.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
echo "skep:address=$(set -- $1; echo "$3")"
if [ -e /etc/skep/adopted ]; then
    echo "skep:marker=$(base64 </etc/skep/adopted | tr -d '\n')"
fi
echo skep:end=yes
