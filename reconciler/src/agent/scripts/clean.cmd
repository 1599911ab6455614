@echo off
rem Removes the scheduled task of the job named by the first argument.
setlocal
schtasks /delete /tn "dataminer-reconciler-%1" /f
exit /b 0
