# Prints the instance's signed identity document, or nothing. Metadata answers within milliseconds, and on hosts that
# were never allowed to ask, not at all.
metadata=http://169.254.169.254/latest
ask() {
    curl --fail --silent --show-error --noproxy '*' --retry 4 --retry-delay 1 --retry-connrefused \
        --connect-timeout 2 --max-time 5 --max-filesize 16384 "$@"
}
token=$(ask --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/api/token") || exit 0
ask --header "X-aws-ec2-metadata-token: $token" "$metadata/dynamic/instance-identity/rsa2048"
