module darvaza.org/x/net/scripts

go 1.25.0
