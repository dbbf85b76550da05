#!/bin/sh
# Makes the keys and certificates of the tests anew, valid for a hundred years. Needs openssl.
#
#   crates/deliver/tests/keys/make.sh
set -eu
cd "$(dirname "$0")"

openssl genrsa -traditional -out rsa-pkcs1.pem 2048
openssl pkcs8 -topk8 -nocrypt -in rsa-pkcs1.pem -out rsa-pkcs8.pem
openssl genpkey -algorithm ed25519 -out ed25519.pem

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out server-key.pem

# authority NAME: a certificate authority.
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=$1" \
        -addext basicConstraints=critical,CA:TRUE -keyout "$work/$1.key" -out "$work/$1.pem"
}

# certificate FILE AUTHORITY NAMES DAYS: a certificate of the server's key.
certificate() {
    echo "subjectAltName=$3" >"$work/names"
    openssl req -new -key server-key.pem -subj "/CN=server" -out "$work/request"
    openssl x509 -req -in "$work/request" -CA "$work/$2.pem" -CAkey "$work/$2.key" -days "$4" -extfile "$work/names" -out "$1"
}

authority trusted
authority other
cp "$work/trusted.pem" authority.pem
openssl x509 -in "$work/trusted.pem" -outform DER -out authority.der
certificate sound.pem trusted DNS:localhost,IP:127.0.0.1 36500
certificate other-host.pem trusted DNS:other.example 36500
certificate other-authority.pem other DNS:localhost,IP:127.0.0.1 36500
openssl req -x509 -key server-key.pem -days 36500 -subj /CN=server -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -out self-signed.pem
# Ended before it began to be used.
certificate expired.pem trusted DNS:localhost,IP:127.0.0.1 0
