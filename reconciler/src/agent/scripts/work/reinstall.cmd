:work
rem A module out and in again. 3010 (restart wanted) is success; 1605 means that it was not installed any more.
>"%JOB%\output.log" echo {module}
{uninstall}
start /wait "" msiexec /i "{installer}" /qn /norestart /l*v "%JOB%\install.log"
set "CODE=%ERRORLEVEL%"
>>"%JOB%\output.log" echo install %CODE%
if "%CODE%"=="3010" set "CODE=0"
goto ended

:remove
start /wait "" msiexec /x %PRODUCT% /qn /norestart /l*v "%JOB%\uninstall.log"
set "CODE=%ERRORLEVEL%"
>>"%JOB%\output.log" echo uninstall %CODE%
if "%CODE%"=="3010" set "CODE=0"
if "%CODE%"=="1605" set "CODE=0"
exit /b 0
