//! Real packages in real databases: an empty `omsagent` built, installed into a fake root by dpkg and rpm, and read.
